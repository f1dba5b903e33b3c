"""Layers, windows, normalisations and losses, for judge-trace.py."""
import torch
import torch.nn as nn
import torch.nn.functional as F

batch = 3
channels = 4
size = 9


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        c = channels
        self.two = nn.ModuleList([
            nn.Conv2d(c, 6, 3), nn.Conv2d(c, 8, (3, 2), stride=2, padding=(1, 0), dilation=1, groups=2, bias=False),
            nn.Conv2d(c, 5, 3, padding="same", dilation=2), nn.Conv2d(c, 5, 3, padding=1, padding_mode="reflect"),
            nn.Conv2d(c, 5, 3, padding=2, padding_mode="circular"),
            nn.ConvTranspose2d(c, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=1),
            nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
            nn.AvgPool2d(2, ceil_mode=True), nn.AdaptiveAvgPool2d((3, None)), nn.AdaptiveMaxPool2d(2),
            nn.BatchNorm2d(c), nn.BatchNorm2d(c, eps=1e-2, momentum=0.5, affine=False),
            nn.BatchNorm2d(c, track_running_stats=False), nn.InstanceNorm2d(c), nn.InstanceNorm2d(c, affine=True),
            nn.GroupNorm(2, c, eps=1e-3), nn.LayerNorm([size, size]), nn.LayerNorm(size, elementwise_affine=False),
            nn.LocalResponseNorm(3, 0.1, 0.5, 2.0), nn.LPPool2d(2, 3), nn.ZeroPad2d(2), nn.ConstantPad2d((1, 0, 2, 1), 3.5),
            nn.ReflectionPad2d(1), nn.ReplicationPad2d((2, 1, 0, 1)), nn.Upsample(scale_factor=2),
            nn.Upsample(size=(5, 7), mode="bilinear", align_corners=False), nn.PixelShuffle(2), nn.Flatten(2), nn.Unfold(3, padding=1),
            nn.Linear(size, 5), nn.Softmax(dim=1), nn.LogSoftmax(dim=2), nn.GELU("tanh"), nn.RMSNorm(size), nn.Identity(),
            nn.Dropout(0.3), nn.Dropout2d(0.4), nn.SiLU(), nn.Hardswish(), nn.Sigmoid(), nn.Tanh()])
        self.one = nn.Sequential(nn.Conv1d(c, 6, 3, stride=2), nn.ReLU(inplace=True), nn.ConvTranspose1d(6, c, 4, stride=2), nn.MaxPool1d(2))
        self.three = nn.Sequential(nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2), nn.MaxPool3d(2, 1), nn.ConvTranspose3d(2, 2, 2), nn.AvgPool3d(2), nn.AdaptiveAvgPool3d(1))
        self.embed = nn.Embedding(10, 6, padding_idx=0)
        self.lstm = nn.LSTM(size, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(size, 5)
        self.rnn = nn.RNN(size, 5, nonlinearity="relu")
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.losses = nn.ModuleList([
            nn.MSELoss(), nn.L1Loss(reduction="sum"), nn.SmoothL1Loss(beta=0.3), nn.HuberLoss(delta=0.4), nn.MSELoss(reduction="none")])
        self.cross = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.triplet = nn.TripletMarginLoss(margin=0.7, p=1)
        nn.init.xavier_uniform_(self.two[0].weight)
        nn.init.zeros_(self.two[0].bias)
        self.double()
        self.float()

    def forward(self, x, t):
        out = [layer(x) for layer in self.two]
        out += [self.one(x[:, :, 0]), self.three(x[:, :1, :, :, None].expand(-1, -1, -1, -1, 6)), self.embed(t)]
        y, (h, c) = self.lstm(x[:, 0])
        out += [y, h, c, *self.gru(x[:, 1]), *self.rnn(x[:, 2])]
        y, w = self.attention(x[:, 0, :, :8], x[:, 0, :, :8], x[:, 0, :, :8])
        out += [y, w]
        a, b = x[:, 0], x[:, 1]
        out += [loss(a, b) for loss in self.losses]
        out += [self.cross(a, t), self.triplet(a, b, a + b), F.mse_loss(a, b, reduction="sum"), F.cross_entropy(a, t, reduction="none")]
        out += [F.nll_loss(F.log_softmax(a, 1), t), F.kl_div(F.log_softmax(a, 1), F.softmax(b, 1), reduction="batchmean"), F.smooth_l1_loss(a, b, beta=2.0)]
        out += [F.binary_cross_entropy(a.sigmoid(), b.sigmoid()), F.binary_cross_entropy_with_logits(a, b.sigmoid(), pos_weight=x[0, 0, 0].abs())]
        out += [F.cosine_embedding_loss(a[:, 0], b[:, 0], a[:, 0, 0].sign(), margin=0.1), F.hinge_embedding_loss(a, b.sign(), 0.5), F.huber_loss(a, b, delta=0.2)]
        out += [F.margin_ranking_loss(a, b, a.sign(), margin=0.2), F.triplet_margin_loss(a, b, a * 2, swap=True), F.soft_margin_loss(a, b.sign())]
        out += [F.max_pool2d(x, 2), *F.max_pool2d(x, 3, 1, return_indices=True), F.avg_pool2d(x, 3, 2, 1, False, True, 5), F.adaptive_avg_pool2d(x, 1)]
        out += [F.interpolate(x, scale_factor=0.5), F.interpolate(x, size=4, mode="bilinear", align_corners=True), F.pixel_shuffle(x, 2), F.unfold(x, 2, stride=2)]
        out += [F.layer_norm(x, (size,)), F.group_norm(x, 2), F.instance_norm(x), F.batch_norm(x, None, None, training=True), F.rms_norm(x, (size,), eps=1e-3)]
        out += [F.conv2d(x, self.two[0].weight, stride=2), F.conv1d(x[:, :, 0], self.one[0].weight, None, 1, 1), F.dropout(x, 0.5, False), F.dropout(x, training=False)]
        return out


def get_inputs():
    return [torch.randn(batch, channels, size, size), torch.randint(0, 9, (batch, size))]


def get_init_inputs():
    return []
